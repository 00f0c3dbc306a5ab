"""Tests of study.collect."""
