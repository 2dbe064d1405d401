import os

import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from verification import receive

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    ROOT_URLCONF=__name__,
)


@csrf_exempt
@require_POST
def hook(request):
    body = request.body
    return HttpResponse(status=receive(body, request.headers.get("X-Signature")))


urlpatterns = [path("hook", hook)]

if __name__ == "__main__":
    uvicorn.run(get_asgi_application(), port=int(os.environ.get("PORT", "8000")), lifespan="off")
