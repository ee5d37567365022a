"""OGC SensorThings API 1.1 Part 1 (OGC 18-088), read only: devices and readings for other systems.

A device is a Thing at a Location, its type a Sensor, a metric an ObservedProperty, a device's
metric a Datastream (`device:metric`), a reading an Observation of the place where the device
stands (FeatureOfInterest). Nothing can be written here; devices come from the city folder.
"""
