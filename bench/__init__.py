"""Milepost beside its floors: speed as ratios to bare code measured in the same run."""
