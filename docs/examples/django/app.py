import os

from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

import cstar_explore as cx

settings.configure(ALLOWED_HOSTS=["testserver"], ROOT_URLCONF=__name__)
known_ids = set()  # in your service, a table with a unique key
titles = []


@csrf_exempt
def receive(request):
    try:
        event = cx.verify(request.body, request.headers, os.environ["CSTAR_WEBHOOK_SECRET"])
    except cx.errors.SignatureError:
        return HttpResponse(status=401)
    if event["type"] == "ticket.created" and event["id"] not in known_ids:
        known_ids.add(event["id"])
        titles.append(event["data"]["ticket"]["title"])
    return HttpResponse(status=204)


urlpatterns = [path("hooks/cstar", receive)]
