"""The one door to Azure: cloud, credential, requests with paging, pace and retry, and errors as ours.

Import the module that you need: `session` costs a second's fifth, because it imports Azure's libraries; `clouds` and
`request` are plain values.
"""
