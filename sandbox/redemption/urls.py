"""The paths of AM Cash, under /checkout/amcash/."""

from django.urls import path

from sandbox.redemption.views import EchoView, InquireView, RedeemView, ReverseView

urlpatterns = [
    path("echo", EchoView.as_view()),
    path("inquire", InquireView.as_view()),
    path("redeem", RedeemView.as_view()),
    path("reverse", ReverseView.as_view()),
]
