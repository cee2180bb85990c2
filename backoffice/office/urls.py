"""The back office's addresses. A transaction is named by its reference, never by a card."""

from django.urls import path

from backoffice.office import views

app_name = "office"
urlpatterns = [
    path("", views.home, name="home"),
    path("log/", views.log, name="log"),
    path("log/export/", views.export, name="export"),
    path("log/<uuid:reference>/", views.transaction, name="transaction"),
]
