"""AIR MILES Cash: inquire, redeem and reverse. Its modules are listed in ARCHITECTURE.md."""
