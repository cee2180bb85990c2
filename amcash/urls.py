"""The programme's own addresses of AM Cash, served to tills."""

from django.urls import path

from amcash import api

app_name = "amcash"
urlpatterns = [
    path("echo", api.EchoView.as_view(), name="echo"),
    path("inquire", api.InquireView.as_view(), name="inquire"),
    path("redeem", api.RedeemView.as_view(), name="redeem"),
    path("reverse", api.ReverseView.as_view(), name="reverse"),
]
