"""Give the persons of a text other first names, each the same one throughout."""

import random
import re
from collections.abc import Sequence

_WOMEN = """
Adele Agnes Aisha Alice Alina Amina Amira Ana Anika Anja Anna Anne Annika Astrid Ayesha Ayumi
Beatriz Bella Bianca Brenda Bridget Camila Carla Carmen Carol Catherine Cecilia Chiara Chloe
Claire Clara Cristina Debby Deborah Deepa Diana Dina Dolores Donna Dorothy Elena Elif Elisa
Elizabeth Ella Ellen Elsa Emilia Emily Emma Esra Esther Eva Evelyn Farah Fatima Fatou Faye Fiona
Francesca Freya Frida Gabriela Gemma Gloria Greta Gulsen Haley Hana Hannah Haruka Heidi Helen
Helena Hilda Ida Ines Ingrid Irene Irina Isabel Isabella Ivana Jamila Jane Janet Jenna Jennifer
Jessica Joana Joanna Johanna Josephine Judith Julia Juliana Kamala Karen Karin Katarina
Katherine Kavita Kayla Keiko Kiara Lara Laura Layla Leila Lena Leonor Leyla Linda Lisa Lotte
Lucia Lucy Luisa Lydia Magda Maja Margaret Maria Mariam Marie Marina Marta Martha Mary Matilda
Megan Mei Melissa Mia Michelle Mila Milena Mina Mona Monica Nadia Nancy Naomi Natalia Natasha
Nell Nicole Nina Noor Nora Norma Oksana Olga Olivia Paige Pamela Patricia Paula Pilar Priya
Rachel Rania Rebecca Rita Roberta Rosa Rosalia Ruth Sabine Salma Samira Sandra Sara Sarah Selin
Serena Shanice Shreya Sigrid Silvia Simone Sonia Sophie Stella Svetlana Sylvia Tamara Tania
Tatiana Teresa Thandi Theresa Tina Ulrike Ursula Valentina Valeria Vanessa Vera Veronica Wendy
Xiuying Yasmin Yuki Yuko Yvonne Zahra Zainab Zeynep Zoe Zofia Zuzana
"""
_MEN = """
Aaron Abdullah Adam Adrian Ahmed Akira Alan Albert Alberto Alejandro Alessandro Alfred Ali
Anders Andreas Andrew Andrzej Anil Anthony Anton Antonio Arjun Arnold Arthur Arun Benjamin
Bernard Bjorn Bobby Boris Brandon Brian Bruno Bryan Carl Carlos Cheng Chris Christian
Christopher Connor Damian Dan Daniel Danny Dario Dave David Deepak Dennis Diego Dmitri Dominik
Donald Douglas Edgar Eduardo Edward Edwin Elias Emil Emmanuel Emre Enrique Eric Erik Ernesto
Ethan Eugene Fabian Faisal Felipe Felix Ferdinand Fernando Fred Frederik Gabriel Gareth Gary
George Gerald Giovanni Gordon Graham Gregory Guillaume Gustav Hamid Hans Harold Harry Hassan
Hector Helmut Henrik Henry Hiroshi Howard Hugo Hussein Ian Ibrahim Igor Isaac Ivan Jacob Jake
Jakob Jamal James Jan Jason Javier Jeff Jeffrey Jeremy Jerome Jerry Jesper Jim Joachim Joao Joe
Johan Johannes John Jonas Jonathan Jorge Jose Joseph Joshua Juan Julian Julius Justin Kamal
Karim Karl Keith Kenji Kenneth Kevin Klaus Kofi Kwame Lars Laurent Leo Leonard Lewis Liam
Lorenzo Louis Lucas Luigi Luis Luke Magnus Mahmoud Marco Marcos Mario Markus Martin Matteo
Matthew Matthias Maurice Mehmet Michael Miguel Mikhail Mohammed Murat Mustafa Nathan Neil
Nicholas Nicolas Niels Nigel Nikolai Norman Oleg Oliver Olivier Omar Oscar Oskar Otto Pablo Paco
Paolo Patrick Paul Pavel Pedro Peter Philip Pierre Pietro Prakash Rafael Rahul Rajesh Ralph
Ramon Raphael Rashid Raul Ravi Raymond Reza Ricardo Richard Robert Roberto Roger Roland Ronald
Rowan Ruben Rudolf Russell Ryan Salim Samuel Sanjay Sebastian Sergei Sergio Shinji Simon Stefan
Stephen Steve Steven Sunil Suresh Takeshi Tariq Theo Thomas Tim Timothy Tobias Tom Tomas Tony
Trevor Umberto Vijay Viktor Vincent Vladimir Walter Wilhelm William Xavier Yusuf Zachary Zoltan
"""
_EITHER = """
Alex Andrea Ariel Casey Charlie Jamie Kim Luca Nikita Noa Robin Sam Sasha Toni Yael
"""
"""Names that women and men bear alike."""
_GENDER = {
    name: gender for gender, names in (("w", _WOMEN), ("m", _MEN), ("", _EITHER))
    for name in names.split()
}  # fmt: skip
_TOLD = re.compile(
    r"\b(?:he|him|his|himself|she|her|hers|herself|mr|mrs|ms|miss|sir|madam|man|men|woman|women"
    r"|boys?|girls?|(?:grand|god|step)?(?:mother|father|son|daughter)s?|mom|mum|dad|brothers?"
    r"|sisters?|wife|husband|widow|widower|aunt|uncle|niece|nephew|lady|gentleman)\b",
    re.I,
)
"""Words by which a text may tell the gender of whoever it names."""
_PLACES = frozenset({"St", "Saint", "San", "Santa", "Sao", "Lake", "Mount", "Port", "Fort", "King",
                     "Queen", "Prince", "Princess", "Pope", "Sir"})  # fmt: skip
"""Words before a name that make it the name of somebody or something that everybody knows."""
_TITLES = frozenset({"Mr", "Mrs", "Ms", "Miss", "Dr", "Aunt", "Uncle", "Cousin", "Grandma",
                     "Grandpa", "I"})  # fmt: skip
"""Words before a name that are no name themselves."""
_BEGINS = re.compile(r"(?:^|[.!?:;\n])[\s\"'“‘(]*$")
"""What stands before the first word of a sentence."""
_WORD = re.compile(r"[^\W\d_]+")


def swapped(texts: Sequence[str], dice: random.Random) -> tuple[str, ...] | None:
    """The texts with every first name that we know exchanged; None where that is not sound.

    Where pronouns or the like occur a name gets one of the same gender. Left are texts in which
    a name has another before or behind it or is part of one ("Port Louis", "Peter Lynch"): whom or
    what everybody knows has no other name; and those in which one takes an ending ("Lenas")
    or stands in small letters too.
    """
    whole = "\n".join(texts)
    found = list(_WORD.finditer(whole))
    there = {match[0] for match in found}
    old = sorted(there & _GENDER.keys())
    for before, one, after in zip([None, *found], found, [*found[1:], None], strict=False):
        if one[0] in _GENDER and (_known(before, one, whole) or _surname(one, after, whole)):
            return None
    others = {word[:-n] for word in there for n in (1, 2) if word[-n:].islower()}
    others |= {word.capitalize() for word in there - _GENDER.keys()}
    if not old or not others.isdisjoint(old):
        return None
    told = _TOLD.search(whole) is not None
    new: dict[str, str] = {}
    for name in old:
        fitting = [
            other
            for other, gender in _GENDER.items()
            if other not in there and other not in new.values()
            if not told or gender == _GENDER[name]
        ]
        if not fitting:
            return None
        new[name] = fitting[int(dice.random() * len(fitting))]
    return tuple(_WORD.sub(lambda match: new.get(match[0], match[0]), text) for text in texts)


def _known(before: re.Match[str] | None, name: re.Match[str], whole: str) -> bool:
    """Whether the word before makes the name another one: "St. Peter", "an Aston Martin"."""
    if before is None or whole[before.end() : name.start()] not in (" ", ". ", "-"):
        return False
    if before[0] in _PLACES:
        return True
    begins = _BEGINS.search(whole[max(0, before.start() - 5) : before.start()]) is not None
    plain = before[0] in _TITLES or before[0] in _GENDER or not before[0][0].isupper()
    return not (begins or plain) and whole[before.end()] != "."


def _surname(name: re.Match[str], after: re.Match[str] | None, whole: str) -> bool:
    """Whether a name is followed by a second one: "Peter Lynch", "Anna-Maria"."""
    between = whole[name.end() : after.start()] if after else ""
    return bool(after and after[0][0].isupper() and after[0] != "I" and between in (" ", "-"))
