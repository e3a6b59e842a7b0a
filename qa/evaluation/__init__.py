"""Scripts that measure the service and fit what is calibrated on data."""
