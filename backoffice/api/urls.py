"""The addresses of the API. Without a slash at the end, as those of the switch."""

from django.urls import path

from backoffice.api import lists, transactions

app_name = "api-v1"
urlpatterns = [
    path("", lists.IndexView.as_view(), name="index"),
    path("transactions", transactions.TransactionsView.as_view(), name="transactions"),
    path(
        "transactions/<uuid:reference>",
        transactions.TransactionView.as_view(),
        name="transaction",
    ),
    path("changes", transactions.ChangesView.as_view(), name="changes"),
    path("stores", lists.StoresView.as_view(), name="stores"),
    path("stores/<int:number>", lists.StoreView.as_view(), name="store"),
    path("devices", lists.DevicesView.as_view(), name="devices"),
    path("devices/<int:number>", lists.DeviceView.as_view(), name="device"),
    path("offers", lists.OffersView.as_view(), name="offers"),
    path("offers/<int:number>", lists.OfferView.as_view(), name="offer"),
    path("<path:rest>", lists.NowhereView.as_view(), name="nowhere"),
]
