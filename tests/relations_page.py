"""`make relations`: docs/relations.md on stdout."""

from streammetrics.store import comments, views
from tests.streams import empty_store

if __name__ == "__main__":
    with empty_store() as connection:
        with connection.begin():
            views.publish(connection)
        print(comments.page(connection), end="")
