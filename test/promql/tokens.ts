/** The test key and a token of it from ClusterCockpit's documentation. */
export const TEST_KEY = 'kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=';
export const TEST_JWT =
  'eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.eyJ1c2VyIjoiYWRtaW4iLCJyb2xlcyI6WyJST0xFX0FETUlOIiwiUk9MRV9BTkFMWVNUIiwiUk9MRV9VU0VSIl19.d-3_3FZTsadPjDEdsWrrQ7nS0edMAR4zjl-eK7rJU3HziNBfI9PDHDIpJVHTNN5E5SlLGLFXctWyKAkwhXL-Dw';
