"""The path of the Transaction History service, under /transaction-history/."""

from django.urls import path

from sandbox.history.views import SponsorsView

urlpatterns = [path("sponsors", SponsorsView.as_view())]
