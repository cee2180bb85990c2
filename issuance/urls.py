"""The programme's own addresses of issuance, served to tills."""

from django.urls import path

from issuance import api

app_name = "issuance"
urlpatterns = [
    path("post", api.PostView.as_view(), name="post"),
    path("post/event", api.PostEventView.as_view(), name="post-event"),
    path("reverse", api.ReverseView.as_view(), name="reverse"),
    path("reverse/event", api.ReverseEventView.as_view(), name="reverse-event"),
    path("record", api.RecordView.as_view(), name="record"),
    path("calculate", api.CalculateView.as_view(), name="calculate"),
    path("issue", api.IssueView.as_view(), name="issue"),
    path("return", api.ReturnView.as_view(), name="return"),
]
