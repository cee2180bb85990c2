"""The web itself: policies, headers, methods, limits, redirects; whatever page it is."""
