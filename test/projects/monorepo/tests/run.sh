set -e
test "$(./api)" = 'api: area 42'
test "$(./worker)" = 'worker: jobs 3'
echo ok
