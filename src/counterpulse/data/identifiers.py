"""Columns that likely name a person, told by the words of their header and by the shape of their values."""

from __future__ import annotations

import re
import unicodedata

import polars as pl

_SHARE = 0.5  # of the known values that must have the shape

_HEADERS = {
    "a name": "surname lastname firstname forename familyname givenname maidenname fullname patientname nachname "
    "vorname familienname geburtsname prenom apellido apellidos cognome sobrenome achternaam "
    "voornaam imie nazwisko initials initialen initiales iniziali",
    "a birth date": "birthdate birthday birthdt birthdat brthdtc dob dateofbirth geburtsdatum geburtstag gebdatum datedenaissance ddn "
    "nacimiento fechanacimiento fechadenacimiento datanascita datadinascita nascita nascimento geboortedatum",
    "a record number": "mrn hospitalid hospid medicalrecord medicalrecordnumber hospitalnumber hospitalno chartnumber patientennummer fallnummer "
    "fallnr casenumber nhs nhsnumber nhsno ipp numerodossier historiaclinica cartella numeroprocesso",
    "a telephone number": "phone phonenumber mobilephone telephone cellphone fax telefon handy telefono movil cellulare telefone "
    "telemovel telefoon",
    "an e-mail address": "email mail emailaddress courriel correo correoelectronico",
    "an address": "address street strasse adresse anschrift wohnort direccion calle indirizzo endereco rue adres",
    "a national number": "ssn socialsecurity socialsecuritynumber nationalid passport svnr sozialversicherungsnummer ahv "
    "ahvnummer personnummer dni nif insee codicefiscale cpf bsn pesel reisepass",
    "a postal code": "zip zipcode postcode postalcode plz postleitzahl codepostal codigopostal cep",
}  # fmt: skip
_WHOLE_HEADERS = {
    "a name": "name nom nombre nombres nome",
    "a birth date": "birth naissance",
    "a telephone number": "tel cell mobile portable",
    "a postal code": "cap",
}  # words that also stand in other headers: name of the drug, birth weight, white cell count
_REASON_OF = {word: reason for reason, words in _HEADERS.items() for word in words.split()}
_REASON_OF_WHOLE = {word: reason for reason, words in _WHOLE_HEADERS.items() for word in words.split()}

_SHAPES = {
    "an e-mail address": r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$",
    "a national number": r"^\d{3}-\d{2}-\d{4}$|^756\.\d{4}\.\d{4}\.\d{2}$",
    "a telephone number": r"^(?:\+|00)\d[\d ()/-]{7,}$|^0\d{2,4}[ /-]\d[\d /-]{4,}$|^\(\d{3}\) ?\d{3}-\d{4}$",
    "a name": r"^\p{Lu}\p{Ll}+, \p{Lu}\p{Ll}+$",
}


def identifier(header: str, label: str, text: pl.Series) -> str | None:
    """What a column likely holds that names a person ("a birth date"), or None."""
    for words in (header, label):
        if reason := _by_words(words):
            return reason
    known = text.drop_nulls()
    if not len(known):
        return None
    for reason, shape in _SHAPES.items():
        if int(known.str.contains(shape).sum()) > _SHARE * len(known):
            return reason
    return None


def _by_words(header: str) -> str | None:
    """The whole header, each of its words, and neighbors written together, without accents."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    plain = unicodedata.normalize("NFKD", spaced.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z]+", plain)
    spans = {"".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(i + 4, len(words)) + 1)}
    if "".join(words) in _REASON_OF_WHOLE:
        return _REASON_OF_WHOLE["".join(words)]
    found = [_REASON_OF[span] for span in sorted(spans, key=len, reverse=True) if span in _REASON_OF]
    return found[0] if found else None
