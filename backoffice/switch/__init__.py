"""What the doors of the switch share (PRODUCT 2): who speaks, which request it is, and no more."""
