"""`/api/v1/`: the log, stores, devices and offers, to be read by the retailer's own programs."""
