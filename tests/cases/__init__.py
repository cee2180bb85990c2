"""The twelve cases of RELIABILITY 10, with real processes seen from outside (docs/chaos.md)."""
