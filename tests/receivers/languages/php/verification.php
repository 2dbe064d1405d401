<?php
// Verifies cStar's deliveries and acts once on each event.

const TOLERANCE = 300; // seconds, in both directions

/** Verifies a delivery, acts on its event, and returns the status to respond with. */
function receive(string $body, string $header): int
{
    if (!is_genuine($body, $header)) {
        return 401;
    }
    $event = json_decode($body, true);
    if (!is_array($event) || !is_string($event['id'] ?? null)) {
        return 400;
    }
    act_once($event['id']);
    return 200;
}

function is_genuine(string $body, string $header): bool
{
    $timestamp = '';
    $signatures = [];
    foreach (explode(',', $header) as $part) {
        [$name, $value] = explode('=', trim($part), 2) + [1 => ''];
        if ($name === 't') {
            $timestamp = $value;
        } elseif ($name === 'v1') {
            $signatures[] = $value;
        }
    }
    if (!preg_match('/\A[0-9]{1,12}\z/', $timestamp) || abs(time() - (int) $timestamp) > TOLERANCE) {
        return false;
    }
    // The key is the whole secret, including whsec_.
    $expected = hash_hmac('sha256', "$timestamp.$body", getenv('WEBHOOK_SECRET'));
    foreach ($signatures as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}

/** Your work goes here. A unique key in your database replaces the locked file. */
function act_once(string $id): void
{
    $file = fopen(getenv('ACTED_FILE') ?: 'acted.txt', 'a+');
    flock($file, LOCK_EX);
    if (!in_array($id, explode("\n", stream_get_contents($file)), true)) {
        fwrite($file, "$id\n");
    }
    fclose($file);
}
