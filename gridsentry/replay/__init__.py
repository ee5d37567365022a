"""`gridsentry replay`: a recording through the real pipeline in event time, byte for byte alike."""
