"""The path of the token endpoint."""

from django.urls import path

from sandbox.access.views import TokenView

urlpatterns = [path("oauth/token", TokenView.as_view())]
