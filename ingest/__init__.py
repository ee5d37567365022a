"""MQTT in: topic and bytes become a noun, or Poison. The only place that knows paho."""
