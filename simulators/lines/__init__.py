"""The line studio: feeders with ground truth, cut, switched, shaken and listened to badly."""
