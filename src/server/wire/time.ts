/** Go's zero time, which stands for "never" wherever the API has a time. */
export const ZERO_TIME = '0001-01-01T00:00:00Z'
