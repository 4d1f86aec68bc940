"""The teacher answers, and does not decline."""

import re

from distillgen.checks import Setting, said
from distillgen.records import Answer, Verdict

FIRST = 300
"""Characters in which a refusal shows; what comes later is advice."""
_REFUSES = re.compile(
    r"""(?ix)
    (?: \b i (?:['’]m|[ ]am)? [ ] (?: (?:really|very|truly|so) [ ])? sorry \b (?! [ ] (?:to[ ]hear|for|about|that[ ]you) )
      | \b (?: i | we ) [ ] (?: ca(?:n['’]?t|nnot|n[ ]not) | (?:am|are)[ ](?:un|not[ ])able[ ]to
        | (?:am|are)[ ]not[ ](?:allowed|permitted|comfortable|in[ ]a[ ]position)
        | (?:will|do|could|would|must|have[ ]to)(?:[ ]not|n['’]t|[ ])?[ ]?(?:decline|refuse|be[ ]able[ ]to)
        | won['’]t | (?:do[ ]not|don['’]t)[ ]have[ ](?:access|enough|sufficient|any[ ]information|the[ ](?:necessary|required))
        ) (?! [ ] (?: say[ ]enough | wait | recommend[ ]\w+[ ]enough | stress | emphasi[sz]e ) )
      | \b as [ ] an? [ ] (?: ai | (?:large[ ])?language[ ]model | artificial[ ]intelligence ) \b
      | \b (?: it[ ]is | it['’]s ) [ ] (?: not[ ]possible | impossible ) [ ] to [ ] (?: answer | determine | say | tell | calculate | provide )
      | \b (?: cannot | can[ ]not | can['’]t | could[ ]not ) [ ] be [ ] (?: determined | answered | calculated | found )
      | \b (?: there[ ]is[ ]no | no | not[ ]enough | insufficient ) [ ] (?: relevant[ ] | sufficient[ ] )? (?: information | context | data ) [ ] (?: is[ ] | was[ ] )? (?: provided | given | available | to[ ]answer | about )
      | \b (?: context | text | passage | document s? | information [ ] provided | provided [ ] \w+ ) [ ] (?: does | do ) (?:[ ]not|n['’]t) [ ] (?: contain | include | provide | mention | give | state | specify )
      | \b i [ ] (?: do[ ]not | don['’]t ) [ ] know \b
    ) """
)


def check(answer: Answer, setting: Setting) -> Verdict | None:
    """Value: the words of the refusal. The phrases are English."""
    found = _REFUSES.search(said(answer)[:FIRST])
    return Verdict(passed=not found, value=found[0] if found else None)
