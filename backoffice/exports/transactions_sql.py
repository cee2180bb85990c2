"""The columns of the log's export as PostgreSQL writes them; `transactions` says what they mean.

The order is that of the file. Where `transactions` puts names, their numbers stand; what is the
same in every line is left to it too. A test holds the two ways of making the file equal.
"""

from backoffice.exports.copying import dollars, number, offset, text, utc, wall, word


def columns() -> list[str]:
    """Return one piece of SQL for each cell of a line."""
    return [
        number("reference"),
        utc("opened_at"),
        wall("opened_at"),
        offset("opened_at"),
        number("store_id"),
        number("device_id"),
        number("user_id"),
        number("channel"),
        text("sale_ref"),
        number("operation"),
        number("state"),
        word("needs_person"),
        text("response_code"),
        number("http_status"),
        text("confirmation_number"),
        dollars("basket_cents"),
        dollars("asked_cents"),
        dollars("amount_cents"),
        number("units"),
        number("miles"),
        f"'*******' || nullif({number('collector_last4')}, '')",
        number("card_entry_mode"),
        utc("settled_at"),
        utc("presented_at"),
        utc("reversed_at"),
        word("credit_given"),
        utc("credit_given_at"),
        utc("deadline_at"),
        wall("deadline_at"),
        number("trace_id"),
        number("reverses__reference"),
        f"{number('is_training')}::text",
    ]
