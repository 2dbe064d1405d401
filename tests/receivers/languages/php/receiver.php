<?php
require __DIR__ . '/verification.php';

$body = file_get_contents('php://input');
$isPost = $_SERVER['REQUEST_METHOD'] === 'POST';
http_response_code($isPost ? receive($body, $_SERVER['HTTP_X_SIGNATURE'] ?? '') : 405);
