"""All addresses of Milepost (PRODUCT 5)."""

from django.contrib import admin
from django.urls import include, path

from backoffice.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("office/", include("backoffice.office.urls")),
    path("checkout/amcash/", include("amcash.urls")),
    path("checkout/issuance/", include("issuance.urls")),
    path("", include("cashier.urls")),
]
