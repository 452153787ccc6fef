"""The stages of the pipeline, one file each: functions from Dagger objects to Dagger objects.

They use what Dagger's API has and nothing else, so they run on any engine that serves it.
"""
