"""The back office's addresses. A transaction is named by its reference, never by a card."""

from django.urls import path

from backoffice.office import (
    connection,
    devices,
    events,
    offers,
    privacy,
    second_step,
    staff,
    views,
)

app_name = "office"
urlpatterns = [
    path("", views.home, name="home"),
    path("log/", views.log, name="log"),
    path("log/export/", views.export, name="export"),
    path("log/<uuid:reference>/decision/", views.decide, name="decide"),
    path("log/<uuid:reference>/", views.transaction, name="transaction"),
    path("log/<uuid:reference>/number/", privacy.reveal, name="reveal"),
    path("privacy/", privacy.home, name="privacy"),
    path("privacy/search/", privacy.find, name="privacy-find"),
    path("privacy/request/", privacy.request_of, name="privacy-request"),
    path("privacy/record/", privacy.hand_out, name="privacy-record"),
    path("privacy/erase/", privacy.erase, name="privacy-erase"),
    path("connection/", connection.connection, name="connection"),
    path("devices/", devices.listed, name="devices"),
    path("devices/<int:number>/", devices.device, name="device"),
    path("devices/<int:number>/code/", devices.code, name="device-code"),
    path("devices/<int:number>/token/", devices.token, name="device-token"),
    path("devices/<int:number>/revoke/", devices.revoke, name="device-revoke"),
    path("second-step/", second_step.second_step, name="second-step"),
    path("people/", staff.listed, name="people"),
    path("people/<int:number>/", staff.person, name="person"),
    path("people/<int:number>/pin/", staff.pin, name="person-pin"),
    path("people/<int:number>/no-pin/", staff.no_pin, name="person-no-pin"),
    path("people/<int:number>/badge/", staff.badge, name="person-badge"),
    path("people/<int:number>/no-badge/", staff.no_badge, name="person-no-badge"),
    path("people/<int:number>/no-codes/", staff.no_codes, name="person-no-codes"),
    path("events/", events.listed, name="events"),
    path("events/new/", events.give, name="event-new"),
    path("events/send/", events.send, name="event-send"),
    path("events/take-back/<uuid:reference>/", events.take_back, name="event-take-back"),
    path("events/<uuid:reference>/decide/", events.decide, name="event-decide"),
    path("events/<uuid:reference>/", events.event, name="event"),
    path("offers/", offers.listed, name="offers"),
    path("offers/preview/", offers.preview, name="offers-preview"),
    path("offers/<int:number>/", offers.offer, name="offer"),
]
