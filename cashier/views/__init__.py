"""The console's views: a form in, a service called, a screen out. No rule and no query."""
