"""The paths of the control plane, under /_control/."""

from django.urls import path

from sandbox.control import views

urlpatterns = [
    path("", views.IndexView.as_view()),
    path("reset", views.ResetView.as_view()),
    path("seed", views.SeedView.as_view()),
    path("pending", views.PendingView.as_view()),
    path("clock", views.ClockView.as_view()),
    path("settings", views.SettingsView.as_view()),
    path("tokens/expire", views.ExpireTokensView.as_view()),
    path("faults", views.FaultsView.as_view()),
    path("exchanges", views.ExchangesView.as_view()),
    path("ledger", views.LedgerView.as_view()),
    path("transactions", views.TransactionsView.as_view()),
    path("codes", views.CodesView.as_view()),
]
