"""A job on the store beside it, that is worth to be gone on with every second."""

JOB = """[job]
title  = {name}
output = {name}.h5
[source]
kind   = store
path   = state.store.h5
[zones]
table    = public.zipcode
id       = zip
geometry = boundary
[buildings]
table    = public.building
id       = id
geometry = boundary
fields   = height, use
where    = height > 10
keep     = id, height
[statistics]
buildings = count
total     = sum(height)
p90       = quantile(height, 0.9)
uses      = frequency(use)
tallest   = top(height, 3)
[limits]
memory     = 16 MiB
checkpoint = 1 s
"""
