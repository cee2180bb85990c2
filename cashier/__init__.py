"""The cashier console: forms in, screens out. No rule and no model lives here."""
