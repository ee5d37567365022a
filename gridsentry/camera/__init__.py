"""The camera gateway: a camera, a file or a USB device becomes segments on an MQTT broker."""
