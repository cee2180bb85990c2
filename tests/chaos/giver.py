"""A process with tills that give miles and take them back, and that may die at any moment: what a
till was about to press is on its disk first, so it presses the very same again when it is back.

`python -m tests.chaos.giver NUMBER FOLDER SEED CARD…`, with Milepost's settings in the environment.
It ends when the folder says that the shop is closed; with `hurry` it asks again what is pending.
"""

import os
import pickle
import random
import sys
import threading
import time
import uuid
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
django.setup()

from django.db import Error, close_old_connections, connections  # noqa: E402
from django.db.models import Q  # noqa: E402
from django.utils import timezone  # noqa: E402

from backoffice.cards import Card, EntryMode  # noqa: E402
from backoffice.devices.models import Device  # noqa: E402
from backoffice.journal.models import Transaction  # noqa: E402
from backoffice.people.actors import Actor  # noqa: E402
from backoffice.people.models import User  # noqa: E402
from backoffice.stores.models import Calculation  # noqa: E402
from backoffice.units import Miles  # noqa: E402
from issuance import selectors, services  # noqa: E402
from issuance.orders import Award, EventOrder, IssuanceOrder, ReturnOrder  # noqa: E402
from issuance.returns import NotReturnable  # noqa: E402
from tests.chaos.givers import CLOSED, ENDLESS, HURRY, STUMBLES, TILLS, note  # noqa: E402
from tests.day import shelf  # noqa: E402

_HURRIES_EVERY_S = 2.0
_Order = IssuanceOrder | ReturnOrder | EventOrder


class Giver(threading.Thread):
    """One till. It remembers some of its sales, to have them brought back."""

    def __init__(self, number: int, folder: Path, seed: str, cards: list[str]) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._pressing = folder / f"pressing-{number}"
        self._shown = folder / f"shown-{number}"
        # What it has seen so far tells one of its lives from the next.
        lives = self._shown.stat().st_size if self._shown.exists() else 0
        self._random = random.Random(f"{seed} {number} {lives}")
        self._cards = cards
        self._devices = list(Device.objects.select_related("store__sponsor").order_by("pk"))
        self._user = User.objects.get(username="ana")
        self._sold: list[tuple[int, Device]] = []

    def run(self) -> None:
        """Finish what it died over, and go on until the shop closes."""
        while True:
            try:
                if self._pressing.exists():
                    self._press()
                elif (self._folder / CLOSED).exists():
                    break
                else:
                    self._draw()
            except (services.Refused, NotReturnable):
                # Refused before anything was written: somebody else brought it back.
                self._pressing.unlink(missing_ok=True)
            except Error:
                # The database is away; what was being pressed is pressed again.
                connections.close_all()
                time.sleep(0.3)
            time.sleep(self._random.uniform(0, 0.5))
        connections.close_all()

    def _draw(self) -> None:
        lot = self._random.random()
        if lot < 0.3 and self._sold:
            self._bring_back()
        elif lot < 0.4:
            self._event()
        else:
            self._give()

    def _give(self) -> None:
        device = self._random.choice(self._devices)
        basket = shelf.basket(self._random)
        awards: tuple[Award, ...] = ()
        if _is_ours(device):
            awards = selectors.awards_for(
                basket, store=device.store, at=timezone.now(), language="en"
            )
            if not awards:
                return
        order = IssuanceOrder(
            client_ref=str(uuid.uuid4()),
            sale_ref=str(uuid.uuid4()),
            card=self._card(),
            basket=basket,
            language="en",
            awards=awards,
        )
        self._keep(order, device)

    def _bring_back(self) -> None:
        number, device = self._random.choice(self._sold)
        row = Transaction.objects.get(pk=number)
        sold = selectors.sale_of(row)
        assert sold is not None
        if sold.basket.items:
            pieces = {item.number: item.quantity for item in sold.basket.items}
            is_whole = self._random.random() < 0.4
            chosen = pieces if is_whole else shelf.some_of(pieces, self._random)
            basket = shelf.brought(sold.basket, chosen)
        else:
            basket = shelf.totals(sold.basket.pre_tax_cents - sold.basket.excluded_cents)
        awards = selectors.awards_back(row, basket) if _is_ours(device) else ()
        self._sold.remove((number, device))
        if awards or not _is_ours(device):
            order = ReturnOrder(
                client_ref=str(uuid.uuid4()),
                sale_ref=str(uuid.uuid4()),
                card=Card(number=self._number_of(row), entry_mode=EntryMode.SCAN),
                basket=basket,
                language="en",
                original=row.reference,
                awards=awards,
            )
            self._keep(order, device)

    def _event(self) -> None:
        device = self._random.choice(self._devices)
        miles = Miles(self._random.randrange(1, 300))
        order = EventOrder(
            client_ref=str(uuid.uuid4()),
            card=self._card(),
            awards=(Award(offer_id="900001", offer_code="GOODWILL", miles=miles),),
            language="en",
            is_taking_back=self._random.random() < 0.3,
        )
        self._keep(order, device)

    def _keep(self, order: _Order, device: Device) -> None:
        """Put on disk what is about to be pressed."""
        draft = self._pressing.with_suffix(".draft")
        draft.write_bytes(pickle.dumps((order, device.pk)))
        draft.replace(self._pressing)

    def _press(self) -> None:
        # Written by this very harness, so it may be unpickled.
        kept: tuple[_Order, int] = pickle.loads(self._pressing.read_bytes())  # noqa: S301
        order, number = kept
        device = next(one for one in self._devices if one.pk == number)
        lot = self._random.random()
        if lot < 0.15:
            threading.Thread(target=self._sent_beside, args=(order, device), daemon=True).start()
        row = self._sent(order, device)
        if lot > 0.9:
            row = self._sent(order, device)
        if isinstance(order, IssuanceOrder):
            self._sold.append((row.pk, device))
        self._pressing.unlink()

    def _sent_beside(self, order: _Order, device: Device) -> None:
        try:
            self._sent(order, device)
        except (services.Refused, Error):
            pass
        finally:
            connections.close_all()

    def _sent(self, order: _Order, device: Device) -> Transaction:
        actor = Actor(user=self._user, device=device)
        now = timezone.now()
        if isinstance(order, IssuanceOrder):
            outcome = services.give(order, actor=actor, now=now)
        elif isinstance(order, EventOrder):
            outcome = services.event(order, actor=actor, now=now)
        else:
            assert order.original is not None
            original = Transaction.objects.get(reference=order.original)
            outcome = services.take_back(order, original, actor=actor, now=now)
        row = outcome.transaction
        note(self._shown, reference=str(row.reference), client_ref=order.client_ref)
        return row

    def _card(self) -> Card:
        return Card(number=self._random.choice(self._cards), entry_mode=EntryMode.SCAN)

    def _number_of(self, row: Transaction) -> str:
        return next(one for one in self._cards if one.endswith(row.collector_last4))


def _is_ours(device: Device) -> bool:
    return device.store.sponsor.calculation == Calculation.PARTNER


def _hurry() -> None:
    """Ask again what is pending, and what the programme itself failed, as a till may."""
    device = Device.objects.select_related("store__sponsor").order_by("pk")[0]
    actor = Actor(user=User.objects.get(username="ana"), device=device)
    pending = Q(state="pending") & ~Q(collector_last4=ENDLESS)
    # Two sends of everything of this card fail: one behind the other, they would take minutes.
    stumbling = Q(state="doubt", collector_last4=STUMBLES)
    while True:
        for row in Transaction.objects.filter(pending | stumbling):
            services.check_now(row, actor=actor, now=timezone.now())
        time.sleep(_HURRIES_EVERY_S)
        close_old_connections()


def main(arguments: list[str]) -> None:
    """Work until the shop closes."""
    if arguments == [HURRY]:
        _hurry()
    number, folder, seed, *cards = arguments
    first = int(number) * TILLS
    givers = [Giver(first + till, Path(folder), seed, cards) for till in range(TILLS)]
    for giver in givers:
        giver.start()
    for giver in givers:
        giver.join()


if __name__ == "__main__":
    main(sys.argv[1:])
