<?php
// routes/api.php
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Route;

require_once __DIR__ . '/verification.php';

Route::post('/hook', function (Request $request) {
    $body = $request->getContent();
    return response('', receive($body, $request->header('X-Signature') ?? ''));
});
