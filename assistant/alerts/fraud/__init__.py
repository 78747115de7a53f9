"""The fraud score: one pass over a stream of card purchases, answers arriving days later. Pure; knows no table.

``score.Scorer`` looks at a purchase beside the customer's own habits and what is known of the merchant, and names the
reasons. What each reason is worth is counted from customers' answers (``evidence``), never set in stone.
"""
