"""Which stores and tills a person may see: the one place where store scope is decided."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from backoffice.devices.models import Device
from backoffice.people.models import User
from backoffice.stores.models import Store


def visible_stores(user: User | AnonymousUser) -> QuerySet[Store]:
    """Return the stores whose records `user` may read; none for a stranger."""
    if not isinstance(user, User) or not user.is_active:
        return Store.objects.none()
    if user.may_see_every_store:
        return Store.objects.all()
    return Store.objects.filter(staff=user)


def visible_devices(user: User | AnonymousUser) -> QuerySet[Device]:
    """Return the tills and tablets that `user` may read of: those of their stores."""
    return Device.objects.filter(store__in=visible_stores(user))


def usable_tills(user: User | AnonymousUser) -> QuerySet[Device]:
    """Return the tills at which `user` may serve customers; none for an auditor."""
    if not isinstance(user, User) or not user.may_use_till:
        return Device.objects.none()
    return Device.objects.filter(
        is_active=True, store__is_active=True, store__in=visible_stores(user)
    ).select_related("store__sponsor")
