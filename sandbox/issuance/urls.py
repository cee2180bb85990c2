"""The paths of issuance, under /checkout/issuance/."""

from django.urls import path

from sandbox.issuance import views

urlpatterns = [
    path("post", views.PostView.as_view()),
    path("post/event", views.PostEventView.as_view()),
    path("reverse", views.ReverseView.as_view()),
    path("reverse/event", views.ReverseEventView.as_view()),
    path("record", views.RecordView.as_view()),
    path("calculate", views.CalculateView.as_view()),
    path("issue", views.IssueView.as_view()),
    path("return", views.ReturnView.as_view()),
]
