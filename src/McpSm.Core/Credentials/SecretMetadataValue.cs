using System.Globalization;
using System.Text.Json.Serialization;
using McpSm.Core.Errors;

namespace McpSm.Core.Credentials;

/// <summary>A value of a secret's metadata, as text with its type.</summary>
internal sealed record SecretMetadataValue([property: JsonPropertyName("type")] TypeCode Type, [property: JsonPropertyName("value")] string Value)
{
    /// <summary>Creates the stored form of a metadata value.</summary>
    /// <exception cref="McpAuthException">InvalidValue: the value is not text, a number, a Boolean or a time.</exception>
    public static SecretMetadataValue Create(string key, object? value) => value is IConvertible convertible and not Enum
        && convertible.GetTypeCode() is var type and not (TypeCode.Object or TypeCode.DBNull or TypeCode.Empty)
        ? new(type, value is DateTime time ? time.ToString("O", CultureInfo.InvariantCulture) : convertible.ToString(CultureInfo.InvariantCulture))
        : throw new McpAuthException(ErrorReason.InvalidValue, $"The metadata '{UntrustedText.Sanitize(key)}' cannot be stored: "
            + $"it is {(value is null ? "null" : "of type " + value.GetType().Name)}. Metadata can be text, numbers, Booleans and DateTime values.");

    public object Read() => Type == TypeCode.DateTime ? DateTime.Parse(Value, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind)
        : Convert.ChangeType(Value, Type, CultureInfo.InvariantCulture);
}
