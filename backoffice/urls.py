"""All addresses of Milepost (PRODUCT 5)."""

from django.contrib import admin
from django.urls import include, path, re_path

from backoffice.faults import server_error
from backoffice.headers import security_txt
from backoffice.health import healthz, readyz
from backoffice.switch import doors, reference

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path(".well-known/security.txt", security_txt, name="security-txt"),
    path("admin/", admin.site.urls),
    path("office/", include("backoffice.office.urls")),
    path("api/", reference.page, name="api"),
    path("api/schema/", reference.schema, name="api-schema"),
    path("api/v1/", include("backoffice.api.urls")),
    path("checkout/amcash/", include("amcash.urls")),
    path("checkout/issuance/", include("issuance.urls")),
    re_path(r"^checkout/", doors.nowhere, name="no-call"),
    path("", include("cashier.urls")),
]

handler500 = server_error
