"""Which stores and tills a person may see: the one place where store scope is decided."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from backoffice.devices.models import Device
from backoffice.people.models import Role, User
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


def people_at(device: Device) -> QuerySet[User]:
    """Return who is offered at a device's lock screen: its store's people who have a PIN."""
    return (
        User.objects.filter(is_active=True, stores=device.store_id)
        .exclude(pin_hash="")
        .exclude(role=Role.AUDITOR)
        .order_by("display_name", "username")
    )


def may_use(user: User, device: Device) -> bool:
    """Say whether this person may serve customers at this device."""
    return user.is_active and usable_tills(user).filter(pk=device.pk).exists()


def approvers_at(device: Device) -> QuerySet[User]:
    """Return who may approve what a cashier of this device's store may not do alone."""
    may_decide = (Role.MANAGER, Role.ADMINISTRATOR)
    at_store = Q(stores=device.store_id) | Q(role=Role.ADMINISTRATOR)
    return (
        User.objects.filter(at_store, is_active=True, role__in=may_decide)
        .exclude(pin_hash="")
        .order_by("display_name", "username")
        .distinct()
    )


def visible_people(user: User | AnonymousUser) -> QuerySet[User]:
    """Return the people that `user` may read of: their stores', and themselves."""
    if not isinstance(user, User) or not user.is_active:
        return User.objects.none()
    if user.may_see_every_store:
        return User.objects.all()
    return User.objects.filter(Q(stores__in=visible_stores(user)) | Q(pk=user.pk)).distinct()


def may_manage(user: User, person: User) -> bool:
    """Say whether `user` may give this person a PIN or a badge.

    A manager the cashiers of their stores, an administrator everybody else. Nobody gives
    themselves one here: that takes the old PIN, or the password.
    """
    if user.pk == person.pk or not user.may_decide:
        return False
    if user.may_see_every_store:
        return True
    if person.role != Role.CASHIER:
        return False
    return person.stores.filter(pk__in=visible_stores(user)).exists()
