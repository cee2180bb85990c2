"""A process in which some of a day's tills work: `python -m tests.day.till SEED OPERATIONS TILL…`,
with Milepost's settings in the environment. Each till is a thread that asks the services as the
console does. The last line on standard output says what became of the day.
"""

import json
import os
import sys
import threading
import traceback
import uuid
from collections import Counter
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
django.setup()

from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from amcash import services as cash  # noqa: E402
from amcash.orders import RedemptionOrder, ReversalOrder  # noqa: E402
from backoffice.cards import Card, EntryMode  # noqa: E402
from backoffice.devices.models import Device  # noqa: E402
from backoffice.journal.models import Transaction  # noqa: E402
from backoffice.journal.states import State  # noqa: E402
from backoffice.people.actors import Actor  # noqa: E402
from backoffice.people.models import User  # noqa: E402
from backoffice.stores.models import Calculation  # noqa: E402
from backoffice.units import Cents, Miles  # noqa: E402
from issuance import selectors, services  # noqa: E402
from issuance.orders import (  # noqa: E402
    Award,
    EventOrder,
    IssuanceOrder,
    RecordOrder,
    ReturnOrder,
    TransactionType,
)
from issuance.returns import NotReturnable  # noqa: E402
from issuance.services import Outcome  # noqa: E402
from tests.day import plan  # noqa: E402
from tests.day.plan import Event, NamedBy, Press, Return, Sale  # noqa: E402

_LANGUAGE = "en"


class Till(threading.Thread):
    """One till's day. `told` counts what was done, and everything that should not have been."""

    def __init__(self, number: int, *, seed: int, operations: int) -> None:
        super().__init__()
        self._acts = plan.of_till(number, seed=seed, operations=operations)
        self._name = f"{seed}-{number}"
        # By the number of a sale: its row, or nothing where only a RECORD was to be sent.
        self._rows: dict[int, Transaction | None] = {}
        devices = Device.objects.select_related("store__sponsor").order_by("pk")
        self._user = User.objects.get(username="ana")
        self._devices = {
            is_ours: [one for one in devices if _is_ours(one) == is_ours]
            for is_ours in (True, False)
        }
        self.told: Counter[str] = Counter()

    def run(self) -> None:
        """Work through the plan; what goes wrong is told, and the till goes on."""
        for act in self._acts:
            try:
                self._do(act)
            except (services.Refused, cash.Refused, NotReturnable) as error:
                reason = getattr(error, "reason", type(error).__name__)
                self.told[f"refused {act.__class__.__name__.lower()} {reason}"] += 1
            except Exception:  # A till that breaks must not end the others' day.
                self.told["broken"] += 1
                sys.stderr.write(traceback.format_exc())
        connections.close_all()

    def _do(self, act: plan.Act) -> None:
        match act:
            case Sale():
                self._sale(act)
            case Return():
                self._return(act)
            case Event():
                self._event(act)

    def _sale(self, sale: Sale) -> None:
        actor = self._actor(sale.is_ours, sale.device)
        card = _card(sale.card)
        if sale.redeems_cents and sale.basket.post_tax_cents >= sale.redeems_cents:
            self._redemption(sale, card, actor)
        now = timezone.now()
        awards: tuple[Award, ...] = ()
        if sale.is_ours:
            awards = selectors.awards_for(
                sale.basket, store=actor.device.store, at=now, language=_LANGUAGE
            )
            if not awards:
                self._rows[sale.number] = None
                self._record(sale, card, actor)
                return
        order = IssuanceOrder(
            client_ref=self._ref("sale", sale.number),
            sale_ref=self._ref("basket", sale.number),
            card=card,
            basket=sale.basket,
            language=_LANGUAGE,
            awards=awards,
        )
        outcome = self._pressed(
            sale.press, lambda: services.give(order, actor=actor, now=timezone.now())
        )
        self._rows[sale.number] = outcome.transaction
        self.told["sales"] += 1

    def _return(self, back: Return) -> None:
        actor = self._actor(back.sale.is_ours, back.device)
        row = self._rows[back.sale.number]
        if row is None:
            self._record(back.sale, _card(back.sale.card), actor, is_return=True)
            return
        row = Transaction.objects.get(pk=row.pk)
        awards = selectors.awards_back(row, back.basket) if back.sale.is_ours else ()
        if back.sale.is_ours and not awards:
            self._record(back.sale, _card(back.sale.card), actor, is_return=True)
            return
        original = row if back.named_by is NamedBy.ROW else None
        number = row.confirmation_number if back.named_by is NamedBy.THEIR_NUMBER else ""
        order = ReturnOrder(
            client_ref=str(uuid.uuid4()),
            sale_ref=str(uuid.uuid4()),
            card=_card(back.sale.card),
            basket=back.basket,
            language=_LANGUAGE,
            original=row.reference if original else None,
            original_id="" if original else number or row.checkout_id,
            awards=awards,
        )
        self._pressed(
            back.press,
            lambda: services.take_back(order, original, actor=actor, now=timezone.now()),
        )
        self.told["returns"] += 1

    def _event(self, act: Event) -> None:
        order = EventOrder(
            client_ref=str(uuid.uuid4()),
            card=_card(act.card),
            awards=(Award(offer_id="900001", offer_code="GOODWILL", miles=Miles(act.miles)),),
            language=_LANGUAGE,
            is_taking_back=act.is_taking_back,
        )
        actor = self._actor(act.is_ours, act.device)
        self._pressed(act.press, lambda: services.event(order, actor=actor, now=timezone.now()))
        self.told["events"] += 1

    def _record(self, sale: Sale, card: Card, actor: Actor, *, is_return: bool = False) -> None:
        order = RecordOrder(
            client_ref=str(uuid.uuid4()),
            sale_ref=str(uuid.uuid4()),
            card=card,
            basket=sale.basket,
            transaction_type=TransactionType.RETURN if is_return else TransactionType.PURCHASE,
            language=_LANGUAGE,
        )
        services.record(order, actor=actor, now=timezone.now())
        self.told["recorded returns" if is_return else "recorded sales"] += 1

    def _redemption(self, sale: Sale, card: Card, actor: Actor) -> None:
        order = RedemptionOrder(
            client_ref=str(uuid.uuid4()),
            sale_ref=self._ref("basket", sale.number),
            card=card,
            basket_cents=sale.basket.post_tax_cents,
            original_cents=sale.basket.post_tax_cents,
            asked_cents=Cents(sale.redeems_cents),
            language=_LANGUAGE,
        )
        try:
            row = cash.redeem(order, actor=actor, now=timezone.now()).transaction
            self.told["redemptions"] += 1
            if row.state == State.QUEUED:
                # Nothing left, and nobody but its cashier may send it: the customer pays in money.
                cash.pay_otherwise(row, actor=actor, now=timezone.now())
                return
            if row.is_granted and sale.takes_cash_back:
                cash.present(row, actor=actor, now=timezone.now())
                back = ReversalOrder(
                    client_ref=str(uuid.uuid4()), redemption=row.reference, language=_LANGUAGE
                )
                cash.reverse(back, row, actor=actor, now=timezone.now())
                self.told["reversals"] += 1
        except cash.Refused as error:
            self.told[f"refused redemption {error.reason}"] += 1

    def _pressed(self, press: Press, ask: Callable[[], Outcome]) -> Outcome:
        """Press as often as the plan says; every press must tell of one and the same row."""
        outcomes: list[Outcome] = []

        def ask_beside() -> None:
            outcomes.append(ask())
            connections.close_all()

        if press is Press.AT_ONCE:
            twin = threading.Thread(target=ask_beside)
            twin.start()
            outcome = ask()
            twin.join()
        else:
            outcome = ask()
            if press is Press.AGAIN:
                outcomes.append(ask())
        self.told["second presses"] += len(outcomes)
        every = [outcome, *outcomes]
        if len({one.transaction.pk for one in every}) != 1 or sum(one.is_new for one in every) != 1:
            self.told["presses that began another"] += 1
        return outcome

    def _actor(self, is_ours: bool, place: int) -> Actor:
        devices = self._devices[is_ours]
        return Actor(user=self._user, device=devices[place % len(devices)])

    def _ref(self, what: str, number: int) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._name} {what} {number}"))


def _is_ours(device: Device) -> bool:
    return device.store.sponsor.calculation == Calculation.PARTNER


def _card(number: str) -> Card:
    return Card(number=number, entry_mode=EntryMode.SCAN)


def main(arguments: list[str]) -> None:
    """Let the named tills work, and say what became of it."""
    seed, operations, *numbers = (int(one) for one in arguments)
    tills = [Till(number, seed=seed, operations=operations) for number in numbers]
    for till in tills:
        till.start()
    told: Counter[str] = Counter()
    for till in tills:
        till.join()
        told += till.told
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
