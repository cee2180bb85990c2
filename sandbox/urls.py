"""The sandbox's paths: the imitated API, and the control plane apart from it."""

from django.urls import include, path

urlpatterns = [
    path("", include("sandbox.access.urls")),
    path("checkout/amcash/", include("sandbox.redemption.urls")),
    path("checkout/issuance/", include("sandbox.issuance.urls")),
    path("transaction-history/", include("sandbox.history.urls")),
    path("_control/", include("sandbox.control.urls")),
]

handler404 = "sandbox.wire.not_found"
handler500 = "sandbox.wire.broken"
