"""Two evaluations -> a verdict: intervals by resampling images, rules of a policy, and what they add up to."""
