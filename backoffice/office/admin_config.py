"""Django's entry for its admin, on a site that only administrators may enter."""

from django.contrib.admin.apps import AdminConfig


class OfficeAdminConfig(AdminConfig):
    """Django's admin with our site as the default one."""

    default_site = "backoffice.office.admin_site.OfficeAdminSite"
