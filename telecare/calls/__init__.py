"""One connection between people, or a person and a home (videosamtal): ring, answer, lease, end;
signalling; TURN. Media never passes here.
"""
