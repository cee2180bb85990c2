"""The console's addresses. A card is never part of one."""

from django.urls import path

from cashier.views import bringing, credit, entry, give, pairing, redeem, rehearsal, reverse, sale

app_name = "cashier"
urlpatterns = [
    path("", redeem.home, name="home"),
    path("sign-in/", entry.sign_in, name="sign_in"),
    path("till/", entry.till, name="till"),
    path("pair/", pairing.pair, name="pair"),
    path("language/", entry.language, name="language"),
    path("lock/", entry.lock, name="lock"),
    path("card/", redeem.card, name="card"),
    path("test-card/", rehearsal.scan, name="test_card"),
    path("offer/", redeem.offer, name="offer"),
    path("redeem/", redeem.redeem, name="redeem"),
    path("resume/", redeem.resume, name="resume"),
    path("give/", give.start, name="give"),
    path("give/card/", give.card, name="give_card"),
    path("give/instead/", give.instead, name="give_instead"),
    path("give/unknown/", give.unknown, name="give_unknown"),
    path("give/basket/", give.basket, name="give_basket"),
    path("give/preview/", give.preview, name="give_preview"),
    path("give/resume/", give.resume, name="give_resume"),
    path("give/confirm/", give.give, name="give_confirm"),
    path("today/", sale.today, name="today"),
    path("return/", reverse.start, name="return"),
    path("sale/<uuid:reference>/", sale.sale, name="sale"),
    path("sale/<uuid:reference>/status/", sale.status, name="status"),
    path("sale/<uuid:reference>/receipt/", sale.receipt, name="receipt"),
    path("sale/<uuid:reference>/present/", sale.present, name="present"),
    path("sale/<uuid:reference>/send-again/", sale.send_again, name="send_again"),
    path("sale/<uuid:reference>/pay-otherwise/", sale.pay_otherwise, name="pay_otherwise"),
    path("sale/<uuid:reference>/cancel/", sale.cancel, name="cancel"),
    path("sale/<uuid:reference>/check/", sale.check, name="check"),
    path("sale/<uuid:reference>/credit/", credit.credit, name="credit"),
    path("sale/<uuid:reference>/give/", give.of_sale, name="give_of_sale"),
    path("sale/<uuid:reference>/return/", bringing.bring_back, name="bring_back"),
    path("sale/<uuid:reference>/reverse/", reverse.reverse, name="reverse"),
]
