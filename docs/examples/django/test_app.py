from app import titles
from django.test import Client


def post(delivery):
    return Client().post("/hooks/cstar", delivery.body, "application/json", headers=delivery.headers)


def test_a_ticket_is_stored(cstar_delivery):
    response = post(cstar_delivery("ticket.created", title="No paper"))

    assert response.status_code == 204
    assert titles[-1] == "No paper"


def test_a_repeated_delivery_is_stored_once(cstar_delivery):
    delivery = cstar_delivery("ticket.created", title="No toner")
    responses = [post(delivery), post(delivery)]

    assert [response.status_code for response in responses] == [204, 204]
    assert titles.count("No toner") == 1


def test_a_forged_delivery_is_refused(cstar_delivery):
    response = post(cstar_delivery("ticket.created", secret="whsec_of_somebody_else", title="Forged"))

    assert response.status_code == 401
    assert "Forged" not in titles
